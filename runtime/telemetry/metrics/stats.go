package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringmill/ringmill/runtime/processor"
)

// A statMetric is one series that is read off the runtime's statistics.
type statMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	label []string
	value func(*processor.Stats) float64
}

var (
	runsDesc     = desc("ringmill_runs_total", "Runs that ended, by how they did.", "status")
	refusedDesc  = desc("ringmill_runs_refused_total", "Runs refused at admission, by the bound that was hit.", "bound")
	shedDesc     = desc("ringmill_runs_shed_total", "Runs dropped by an overflow policy, by the bound that was hit.", "bound")
	waitsDesc    = desc("ringmill_admission_waits_total", "Callers that waited for room, by the bound that was hit.", "bound")
	waitTimeDesc = desc("ringmill_admission_wait_seconds_total", "Time that callers waited for room, by the bound that was hit.", "bound")
	undoneDesc   = desc("ringmill_compensations_total", "Compensations of tasks that ended, by how they did. Their attempts count among those of tasks.", "status")
	taskActors   = desc("ringmill_task_actors", "Task actors, by state.", "state")
	waitingTasks = desc("ringmill_tasks_waiting", "Attempts that are ready to run and wait, by place: a workflow actor's ready list, or the task pool's queue.", "place")
)

var statMetrics = []statMetric{
	counter("ringmill_runs_accepted_total", "Runs that were admitted.", func(s *processor.Stats) uint64 { return s.Accepted }),
	{runsDesc, prometheus.CounterValue, []string{"succeeded"}, func(s *processor.Stats) float64 { return float64(s.Succeeded) }},
	{runsDesc, prometheus.CounterValue, []string{"failed"}, func(s *processor.Stats) float64 { return float64(s.Failed) }},
	{runsDesc, prometheus.CounterValue, []string{"cancelled"}, func(s *processor.Stats) float64 { return float64(s.Cancelled) }},
	bound(refusedDesc, "max_runs", func(s *processor.Stats) float64 { return float64(s.RunsBound.Refused) }),
	bound(refusedDesc, "mailboxes", func(s *processor.Stats) float64 { return float64(s.MailboxBound.Refused) }),
	bound(shedDesc, "max_runs", func(s *processor.Stats) float64 { return float64(s.RunsBound.Shed) }),
	bound(shedDesc, "mailboxes", func(s *processor.Stats) float64 { return float64(s.MailboxBound.Shed) }),
	bound(waitsDesc, "max_runs", func(s *processor.Stats) float64 { return float64(s.RunsBound.Waited) }),
	bound(waitsDesc, "mailboxes", func(s *processor.Stats) float64 { return float64(s.MailboxBound.Waited) }),
	bound(waitTimeDesc, "max_runs", func(s *processor.Stats) float64 { return s.RunsBound.WaitedTime.Seconds() }),
	bound(waitTimeDesc, "mailboxes", func(s *processor.Stats) float64 { return s.MailboxBound.WaitedTime.Seconds() }),
	counter("ringmill_runs_joined_total", "Calls with the id of a run that was there already.", func(s *processor.Stats) uint64 { return s.JoinedRuns }),
	gauge("ringmill_runs_retained", "Runs that have ended and are kept for their id.", func(s *processor.Stats) int { return s.RetainedRuns }),
	gauge("ringmill_runs_in_flight", "Runs admitted and not ended.", func(s *processor.Stats) int { return s.InFlight }),
	gauge("ringmill_runs_in_flight_limit", "The bound on runs in flight (MaxRuns).", func(s *processor.Stats) int { return s.MaxRuns }),

	counter("ringmill_task_attempts_total", "Attempts of tasks that started.", func(s *processor.Stats) uint64 { return s.AttemptsStarted }),
	counter("ringmill_task_retries_total", "Attempts that followed a failed one.", func(s *processor.Stats) uint64 { return s.Retries }),
	counter("ringmill_task_panics_total", "Attempts that panicked.", func(s *processor.Stats) uint64 { return s.Panics }),
	counter("ringmill_task_timeouts_total", "Attempts and tasks that took too long.", func(s *processor.Stats) uint64 { return s.Timeouts }),
	{undoneDesc, prometheus.CounterValue, []string{"succeeded"}, func(s *processor.Stats) float64 { return float64(s.Compensations - s.NotCompensated) }},
	{undoneDesc, prometheus.CounterValue, []string{"failed"}, func(s *processor.Stats) float64 { return float64(s.NotCompensated) }},
	gauge("ringmill_tasks_leaked", "Task bodies that ignored their cancelled context and still run.", func(s *processor.Stats) int { return s.Leaked }),
	gauge("ringmill_leak_breakers_open", "Tasks that are refused because as many bodies have leaked as may.", func(s *processor.Stats) int { return s.LeakBreakers }),
	counter("ringmill_leak_refusals_total", "Attempts refused because as many bodies have leaked as may.", func(s *processor.Stats) uint64 { return s.LeakRefusals }),
	{waitingTasks, prometheus.GaugeValue, []string{"ready_list"}, func(s *processor.Stats) float64 { return float64(s.Ready) }},
	{waitingTasks, prometheus.GaugeValue, []string{"pool_queue"}, func(s *processor.Stats) float64 { return float64(s.Queued) }},
	{taskActors, prometheus.GaugeValue, []string{"idle"}, func(s *processor.Stats) float64 { return float64(s.IdleTaskActors) }},
	counter("ringmill_task_actor_resizes_total", "Changes of the number of task actors by the load.", func(s *processor.Stats) uint64 { return s.Resizes }),
	{taskActors, prometheus.GaugeValue, []string{"busy"}, func(s *processor.Stats) float64 { return float64(s.TaskActors - s.IdleTaskActors) }},

	counter("ringmill_observer_panics_total", "Panics of observers, which were contained.", func(s *processor.Stats) uint64 { return s.ObserverPanics }),
	counter("ringmill_defects_total", "Panics of the engine itself.", func(s *processor.Stats) uint64 { return s.Defects }),
	counter("ringmill_dead_letters_total", "Messages that could not be delivered.", func(s *processor.Stats) uint64 { return s.DeadLetters }),
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

func bound(d *prometheus.Desc, name string, value func(*processor.Stats) float64) statMetric {
	return statMetric{d, prometheus.CounterValue, []string{name}, value}
}

func counter(name, help string, value func(*processor.Stats) uint64) statMetric {
	return statMetric{desc(name, help), prometheus.CounterValue, nil, func(s *processor.Stats) float64 { return float64(value(s)) }}
}

func gauge(name, help string, value func(*processor.Stats) int) statMetric {
	return statMetric{desc(name, help), prometheus.GaugeValue, nil, func(s *processor.Stats) float64 { return float64(value(s)) }}
}

var (
	workflowActors  = desc("ringmill_workflow_actors", "Workflow actors.")
	mailboxLength   = desc("ringmill_mailbox_messages", "Messages in the mailboxes of all workflow actors.")
	mailboxCapacity = desc("ringmill_mailbox_capacity_messages", "Places for runs in the mailboxes of all workflow actors.")

	actorRuns     = desc("ringmill_workflow_actor_runs", "Runs that a workflow actor drives.", "actor")
	actorLength   = desc("ringmill_workflow_actor_mailbox_messages", "Messages in a workflow actor's mailbox.", "actor")
	actorCapacity = desc("ringmill_workflow_actor_mailbox_capacity_messages", "Places for runs in a workflow actor's mailbox.", "actor")
)

func describeActors(ch chan<- *prometheus.Desc, each bool) {
	ch <- workflowActors
	ch <- mailboxLength
	ch <- mailboxCapacity
	if each {
		ch <- actorRuns
		ch <- actorLength
		ch <- actorCapacity
	}
}

func collectActors(ch chan<- prometheus.Metric, actors []processor.WorkflowActorStats, each bool) {
	var length, capacity int
	for i, a := range actors {
		length += a.MailboxLen
		capacity += a.MailboxCap
		if each {
			index := strconv.Itoa(i)
			ch <- level(actorRuns, a.Runs, index)
			ch <- level(actorLength, a.MailboxLen, index)
			ch <- level(actorCapacity, a.MailboxCap, index)
		}
	}
	ch <- level(workflowActors, len(actors))
	ch <- level(mailboxLength, length)
	ch <- level(mailboxCapacity, capacity)
}

func level(d *prometheus.Desc, value int, label ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value), label...)
}

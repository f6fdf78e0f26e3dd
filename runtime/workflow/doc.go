// Package workflow defines workflows: directed acyclic graphs of tasks. A
// definition is data, and nothing here starts a run: package runtime calls the
// tasks, which for files are functions of this package that run a program or sleep.
//
// A workflow written in Go is made with [New], [Task], [Map] and [Build]. Tasks
// are plain functions, and the compiler checks that what one returns is what
// the next takes:
//
//	b := workflow.New[Order]("checkout")
//	user := workflow.Task(b, "user", LoadUser, b.Input())
//	items := workflow.Task(b, "items", LoadItems, b.Input())
//	receipt := workflow.Task2(b, "charge", Charge, user, items, workflow.Timeout(time.Second))
//	def, err := workflow.Build(b, receipt)
//
// A task starts when the tasks whose steps it was given are done; [After] adds
// an order without data. Every declared task runs, also one that the output
// does not need. A builder cannot express a cycle.
//
// [Parse] reads definitions from files: Ringmill's own format, YAML or JSON
// ([ParseYAML]), and recorded workflows ([ParseWfFormat]). A program that knows
// its workflows when it is compiled chooses the builder; files are for workflows
// of external commands that change without a new build.
//
// All mistakes of a definition are reported at once and before anything runs;
// each message names the place, the value and what to do.
package workflow

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
// # Files
//
//	name: order                     # optional, defaults to the file's base name
//	input: {type: object, required: [user]}     # JSON Schema, checked before a run starts
//	tasks:
//	  user:
//	    cmd: [fetch-user, "${{ input.user }}"]  # argument list, no shell
//	    timeout: 2s                             # of one attempt
//	    retry: {max: 5, backoff: 50ms, max_backoff: 2s, jitter: 0.2}
//	  price:
//	    go: PriceItem                           # see Funcs
//	    foreach: ${{ fromJSON(tasks.user.output).items }}
//	    limit: 16
//	  notify:
//	    cmd: [logger, "${{ len(tasks.price.output) }} prices"]
//	    when: ${{ len(tasks.price.output) > 0 }}
//	output: ${{ tasks.price.output }}           # optional, defaults to an object of the leaf tasks' results
//
// [Schema] describes every key. The kinds of tasks are cmd, go, workflow (another
// definition, in place or in a file: see [Open]), switch, and those of [Kinds], such as
// http and shell of the packages below runtime/handler.
//
// ${{ }} holds an expression of github.com/expr-lang/expr over input, tasks (output,
// status, error), run (id, workflow) and env; in a foreach also over item and index, in
// a repeat over previous and iteration, in its until and in compensate over output (of a foreach also item and index).
// Output sees input, tasks and env. A task waits for the tasks that its expressions
// refer to. A value that is nothing but an expression keeps its type, and if that is
// nothing but a path every digit of its numbers; in other text an expression
// becomes text. A path that leads nowhere is an error, unless it stands left of ?? or
// goes through ?. . Results of functions inside an expression are bounded in size, and
// its loops in number and time. Within map, filter and the like a map in braces
// needs parentheses around it.
//
// As an argument of cmd a string is passed as it is and any other value as JSON
// text; null is an error. A command reads with as JSON on standard input; its result is
// its standard output without one trailing newline, as a JSON string, which must be
// UTF-8. The result of a foreach is the list of the items' results. Without retry a task
// has one attempt.
//
// A when is an expression or, where a kind has conditions ([Kind].Holds), code:
// when: {js: "input.total > 100", with: "${{ tasks.price.output }}"}. Without with that is given
// the run's input; it runs as a task does, before the first attempt.
//
// All mistakes of a definition are reported at once and before anything runs;
// each message names the place, the value and what to do.
package workflow

// Ringmill executes workflows, directed acyclic graphs of tasks, on actors with
// lock-free mailboxes. `ringmill --help` tells how to use it.
package main

import "os"

func main() {
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

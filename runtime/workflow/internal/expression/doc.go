// Package expression compiles and evaluates what stands between ${{ and }} in a
// definition: a language of github.com/expr-lang/expr, in which every value
// comes from outside through references.
//
// A reference is the longest constant path from one of the roots that the
// caller allows, such as input.user.name or tasks["load"].output[0]. References
// are found when an expression is compiled, and looked up when and only if the
// evaluation reaches them. A reference must lead somewhere, unless it stands left of
// ?? or goes through ?. .
//
// Evaluation is bounded, whatever the expression and its values: steps of loops,
// time, and the size of every value that is made on the way.
package expression

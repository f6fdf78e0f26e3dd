package js_test

import (
	"testing"

	"github.com/ringmill/ringmill/runtime/js"
)

// features are what authors may count on; DESIGN.md has the same list. A false one
// is known to be missing.
var features = []struct {
	code string
	has  bool
}{
	{"[1, 2, 3].at(-1) === 3", true},
	{"[3, 1].toSorted()[0] === 1 && [1].with(0, 2)[0] === 2 && [1, 2].toReversed()[0] === 2 && [1, 2].toSpliced(0, 1).length === 1", true},
	{"[1, 2].findLast(x => x) === 2 && [1, 2].findLastIndex(x => x > 5) === -1", true},
	{"Object.groupBy([1, 2], x => x % 2 ? 'odd' : 'even').odd[0] === 1", true},
	{"Map.groupBy([1], x => x).get(1)[0] === 1", true},
	{"Object.fromEntries([['a', 1]]).a === 1 && Object.hasOwn({a: 1}, 'a')", true},
	{"new Set([1]).union(new Set([2])).size === 2", true},
	{"'a-b'.replaceAll('-', '') === 'ab' && 'x'.padStart(2, '0') === '0x'", true},
	{"'\\ud800'.isWellFormed() === false && 'a'.at(-1) === 'a'", true},
	{"/(?<y>\\d{4})/.exec('2024').groups.y === '2024'", true},
	{"/(?<=a)b/.test('ab') && /\\p{L}/u.test('é') && /a.b/s.test('a\\nb')", true},
	{"/[\\p{L}--[a-z]]/v.test('A')", true},
	{"[...'a1b2'.matchAll(/\\d/g)].length === 2 && /a/d.exec('a').indices[0][0] === 0", true},
	{"(10n ** 20n).toString() === '100000000000000000000'", true},
	{"(() => { class A { #x = 1; static { A.y = 2 } get x() { return this.#x } } return new A().x === 1 && A.y === 2 })()", true},
	{"(null ?? 1) === 1 && undefined?.a === undefined && (() => { let a = null; a ??= 2; return a })() === 2", true},
	{"new Error('x', {cause: 1}).cause === 1 && typeof AggregateError === 'function'", true},
	{"typeof Promise.withResolvers === 'function' && typeof Promise.any === 'function'", true},
	{"typeof WeakRef === 'function' && typeof FinalizationRegistry === 'function'", true},
	{"new ArrayBuffer(1, {maxByteLength: 2}).resizable && new ArrayBuffer(4).transfer(8).byteLength === 8", true},
	{"Array.from({length: 2}, (_, i) => i).flatMap(x => [x, x]).length === 4", true},
	{"Iterator.from([1, 2]).map(x => x * 2).toArray()[1] === 4", true},
	{"typeof Array.fromAsync === 'function'", true},
	{"typeof Float16Array === 'function' && Math.sumPrecise([0.1, 0.2]) > 0", true},
	{"new Proxy({}, {get: () => 1}).x === 1 && Reflect.ownKeys({a: 1}).length === 1", true},
	{"new Date(0).toISOString() === '1970-01-01T00:00:00.000Z'", true},
	{"typeof atob === 'function' && typeof performance.now === 'function' && typeof queueMicrotask === 'function'", true},
	{"typeof Intl === 'object'", false},
	{"typeof Temporal === 'object'", false},
	{"typeof structuredClone === 'function'", false},
	{"typeof URL === 'function'", false},
	{"typeof WebAssembly === 'object'", false},
}

func TestFeatures(t *testing.T) {
	e := engine(t, js.Config{})
	for _, f := range features {
		got, err := run(t, e, "try { return "+f.code+" } catch { return false }", "")
		if err != nil || string(got.Value) == "true" != f.has {
			t.Errorf("%s is %s, %v; the list says %t", f.code, got.Value, err, f.has)
		}
	}
	want(t, e, "return typeof SharedArrayBuffer + (() => { try { return Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0, 1) } catch (e) { return e.name } })()", "", `"functionReferenceError"`)
}

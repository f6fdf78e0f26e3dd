// expect: error or timeout
class E extends Error { get message() { throw new E() } get name() { throw new E() } get stack() { throw new E() } } throw new E()

// expect: error, timeout on a slow machine, out-of-memory in a small guest
const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy

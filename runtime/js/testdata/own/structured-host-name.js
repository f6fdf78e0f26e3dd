// expect: result, timeout on a slow machine, out-of-memory in a small guest
return [typeof host, typeof shared, typeof std, typeof os, typeof bjson, typeof scriptArgs, typeof print].join()

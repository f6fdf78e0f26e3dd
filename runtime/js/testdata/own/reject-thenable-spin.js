// expect: timeout or error, out-of-memory in a small guest
return Promise.reject({ get message() { for (;;); } })

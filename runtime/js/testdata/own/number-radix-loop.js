// expect: timeout
for (let i = 1; ; i++) (Number.MAX_VALUE / i).toString(2 + i % 35)

// expect: timeout
class A { static { for (;;); } }
return 1

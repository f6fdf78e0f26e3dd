package js_test

const hostileVariable = "RINGMILL_JS_HOSTILE"

func hostileMain() {}

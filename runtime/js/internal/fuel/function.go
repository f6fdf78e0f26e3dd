package fuel

import "fmt"

// function rewrites one body. It adds one i32 local, behind the body's own.
func (w *rewriter) function(body []byte, params uint32) (out []byte, err error) {
	defer catch(&err)
	r := reader{data: body}
	groups := r.u32()
	temp := uint64(params)
	first := r.at
	for range groups {
		temp += uint64(r.u32())
		r.byte()
	}
	if temp > 50_000 { // the format's usual implementation limit
		return nil, fmt.Errorf("%d locals", temp)
	}
	out = appendU32(make([]byte, 0, len(body)*5/4), groups+1)
	out = append(out, body[first:r.at]...)
	out = append(out, 1, typeI32)
	e := emitter{w: w, out: out, temp: uint32(temp)}
	for r.at < len(body) {
		if err := e.instruction(&r); err != nil {
			return nil, err
		}
	}
	return e.out, nil
}

// An emitter copies instructions and adds what they are charged.
type emitter struct {
	w    *rewriter
	out  []byte
	temp uint32 // the added local
}

func (e *emitter) op(op byte, operand uint32) {
	e.out = appendU32(append(e.out, op), operand)
}

// spend subtracts the number that the code in amount leaves from the fuel, and
// asks the host when the tank is empty.
func (e *emitter) spend(amount func()) {
	e.op(opGlobalGet, e.w.fuel)
	amount()
	e.out = append(e.out, opI32Sub)
	e.op(opGlobalSet, e.w.fuel)
	e.op(opGlobalGet, e.w.fuel)
	e.out = append(e.out, opI32Const, 0, opI32LtS, opIf, blockEmpty)
	e.op(opCall, e.w.refuel)
	e.out = append(e.out, opEnd)
}

// bulk charges the operation whose length is on top of the stack.
func (e *emitter) bulk() {
	e.op(opLocalSet, e.temp)
	e.spend(func() {
		e.op(opLocalGet, e.temp)
		e.out = append(e.out, opI32Const, BulkShift, opI32ShrU)
	})
	e.op(opLocalGet, e.temp)
}

// instruction copies the next instruction, with its immediates.
func (e *emitter) instruction(r *reader) error {
	start := r.at
	op := r.byte()
	switch {
	case op == 0x03: // loop
		r.leb(5)
		e.out = append(e.out, r.data[start:r.at]...)
		e.spend(func() { e.out = append(e.out, opI32Const, 1) })
		return nil
	case op == opGlobalSet:
		global := r.u32()
		if global != 0 {
			break
		}
		e.op(opLocalTee, e.temp)
		e.op(opGlobalSet, 0)
		e.op(opLocalGet, e.temp)
		e.op(opGlobalGet, e.w.low)
		e.out = append(e.out, opI32LtU, opIf, blockEmpty)
		e.op(opLocalGet, e.temp)
		e.op(opGlobalSet, e.w.low)
		e.out = append(e.out, opEnd)
		return nil
	case op == opMemorySize:
		r.byte()
		e.op(opGlobalGet, e.w.pages)
		return nil
	case op == opMemoryGrow:
		r.byte()
		e.op(opCall, e.w.grow)
		return nil
	case op == 0x02 || op == opIf: // block, if
		r.leb(5)
	case op == 0x0c || op == 0x0d || op == opCall || op >= opLocalGet && op <= opGlobalGet: // br, br_if, call, locals
		r.leb(5)
	case op == 0x0e: // br_table
		for range r.u32() {
			r.leb(5)
		}
		r.leb(5)
	case op == 0x11: // call_indirect
		r.leb(5)
		r.leb(5)
	case op == 0x1c: // select with types
		r.take(r.u32())
	case op == 0x25 || op == 0x26 || op == 0xd2: // table.get, table.set, ref.func
		r.leb(5)
	case op == 0xd0: // ref.null
		r.byte()
	case op >= 0x28 && op <= 0x3e: // loads and stores
		r.leb(5)
		r.leb(5)
	case op == opI32Const:
		r.leb(5)
	case op == 0x42: // i64.const
		r.leb(10)
	case op == 0x43: // f32.const
		r.take(4)
	case op == 0x44: // f64.const
		r.take(8)
	case op == 0xfc:
		return e.prefixed(r, start)
	case op <= 0x01 || op == 0x05 || op == opEnd || op == opReturn || op == 0x1a || op == 0x1b || op >= 0x45 && op <= 0xc4 || op == 0xd1:
		// no immediates
	default:
		return fmt.Errorf("instruction %#x at byte %d is not known", op, start)
	}
	e.out = append(e.out, r.data[start:r.at]...)
	return nil
}

// prefixed copies an instruction of the 0xfc group: saturating conversions and
// bulk memory.
func (e *emitter) prefixed(r *reader, start int) error {
	switch sub := r.u32(); sub {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating conversions
	case 8: // memory.init
		r.leb(5)
		r.byte()
		e.bulk()
	case 9, 13, 15, 16, 17: // data.drop, elem.drop, table.grow, table.size, table.fill
		r.leb(5)
	case 10: // memory.copy
		r.take(2)
		e.bulk()
	case 11: // memory.fill
		r.byte()
		e.bulk()
	case 12, 14: // table.init, table.copy
		r.leb(5)
		r.leb(5)
	default:
		return fmt.Errorf("instruction 0xfc %d at byte %d is not known", sub, start)
	}
	e.out = append(e.out, r.data[start:r.at]...)
	return nil
}

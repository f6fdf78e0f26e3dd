package loadgen

import "math"

// What a request draws is a function of the seed, its index and what it is for:
// no state, so the order in which clients run changes nothing.
const (
	drawKey uint64 = iota + 1
	drawFail
	drawFailAt
	drawPanic
	drawPanicAt
	drawWork // the tasks' draws follow
)

// draw returns 64 random bits: two rounds of the SplitMix64 finalizer (Steele, Lea
// and Flood 2014) over a Weyl sequence in both coordinates.
func draw(seed, index, what uint64) uint64 {
	return mix(mix(seed+index*0x9e3779b97f4a7c15) + what*0xd1b54a32d192ed03)
}

func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// unit turns random bits into a number in [0, 1).
func unit(bits uint64) float64 { return float64(bits>>11) / (1 << 53) }

// exponential turns random bits into a number with mean 1.
func exponential(bits uint64) float64 { return -math.Log1p(-unit(bits)) }

package web

// alphabet85 are the digits in which a program stands inside a page: none of them means anything to HTML. Base 85 takes
// five characters for four bytes, where Base64 takes four for three: a page with the verifier in it is 200 kB smaller.
const alphabet85 = "!#$%()*+,./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}"

// base85 writes bytes in that alphabet, filled up with zeros to a multiple of four.
func base85(data []byte) []byte {
	out := make([]byte, 0, (len(data)+3)/4*5)
	for len(data) > 0 {
		var four [4]byte
		data = data[copy(four[:], data):]
		v := uint32(four[0])<<24 | uint32(four[1])<<16 | uint32(four[2])<<8 | uint32(four[3])
		var five [5]byte
		for i := 4; i >= 0; i-- {
			five[i] = alphabet85[v%85]
			v /= 85
		}
		out = append(out, five[:]...)
	}
	return out
}

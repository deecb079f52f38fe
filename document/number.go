package document

// Number is the 发文字号: the registered short name of the office (机关代字), the year, the serial. An order's 令号 has
// neither agency nor year. The zero Number is none.
type Number struct {
	Agency string
	Year   int
	Serial int
}

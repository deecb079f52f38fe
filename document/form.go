package document

// Form is the page form (公文格式) that a document is set in, chapters 7 to 10 of GB/T 9704-2012.
type Form string

// The forms. A draft that names none is set in the usual one of its kind.
const (
	FormCommon  Form = "common"  // 文件格式
	FormLetter  Form = "letter"  // 信函格式
	FormOrder   Form = "order"   // 命令（令）格式
	FormMinutes Form = "minutes" // 纪要格式
)

var formNames = map[string]Form{
	"": "", "common": FormCommon, "letter": FormLetter, "order": FormOrder, "minutes": FormMinutes,
	"文件": FormCommon, "信函": FormLetter, "命令": FormOrder, "纪要": FormMinutes,
}

// Form is the usual page form of the kind.
func (k Kind) Form() Form {
	switch k {
	case Letter:
		return FormLetter
	case Order:
		return FormOrder
	case Minutes:
		return FormMinutes
	}
	return FormCommon
}

// PageForm is the form that d is set in: its own, else the usual one of its kind.
func (d *Document) PageForm() Form {
	if d.Form != "" {
		return d.Form
	}
	return d.Kind.Form()
}

// redHead is what a form prints over the issuer's name where the draft is silent.
func (f Form) redHead(issuer string) string {
	switch f {
	case FormLetter:
		return issuer
	case FormOrder:
		return issuer + "令"
	case FormMinutes:
		return issuer + "会议纪要"
	}
	return issuer + "文件"
}

// Attendance is one list of people of the minutes of a meeting.
type Attendance struct {
	// Label is 出席, 请假 or 列席.
	Label string
	// Names are the people, with their offices where the draft gives them.
	Names []string
}

// attendanceKeys are the lists a draft may give, in the order in which they are printed.
func attendanceKeys() [][2]string {
	return [][2]string{{"present", "出席"}, {"excused", "请假"}, {"observers", "列席"}}
}

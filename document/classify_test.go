package document_test

import (
	"strings"
	"testing"

	"yinxin/document"
)

// TestMarksAndTheirTwins: what must be refused beside the nearest thing that must pass.
func TestMarksAndTheirTwins(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, refused, passes string }{
		{"Chinese term", "机密 十年", "机密工作十年回顾"},
		{"longer Chinese term", "秘密 二十年", "他们保守秘密二十年"},
		{"term in brackets", "机密（10年）", "机密文件管理办法（10年版）"},
		{"term in brackets inside a line", "000012 机密（十年）特急", "涉密人员脱密期（十年）"},
		{"dot", "机密·10年", "保密·10年"},
		{"dash", "机密—10年", "保密工作—10年"},
		{"comma", "机密，10年", "保守国家秘密，10年来各单位认真落实"},
		{"colon", "机密：10年", "机密：是指重要的国家秘密"},
		{"year", "秘密 至2036年12月31日", "秘密工作自2036年起"},
		{"label and degree", "密级 机密", "密级 "},
		{"label is", "密级为机密", "密级为机密的文件由专人保管"},
		{"label is, with level", "本文件密级为秘密级，请妥善保管", "密级为秘密级以上的载体不得外借"},
		{"term label", "保密期限 十年", "保密期限十年以上的载体"},
		{"term label with colon", "保密期限：十年", "保密期限：无"},
		{"file", "绝密文件", "绝密文件管理办法"},
		{"piece", "机密件", "机密件数统计"},
		{"full stop", "机密。", "不得泄露机密。"},
		{"star of an operator", "秘密⋆5年", "保密⋆5年"},
		{"four-pointed star", "秘密✦", "秘书✦"},
		{"glowing star", "机密🌟10年", "机要🌟10年"},
		{"reference mark", "机密※10年", "国家秘密※见附注"},
		{"reference mark before", "※机密※", "※机密文件管理要点"},
		{"star before", "★机密10年", "★机要工作10年"},
		{"star and degree in a line", "第1份 ★秘密 平急", "第1份 ★通知 平急"},
		{"asterisk", "秘密*", "**保守国家秘密**"},
		{"bracket before a title", "【机密】关于召开会议的通知", "【保密】关于召开会议的通知"},
		{"Hangul filler", "秘\u3164密★", "秘\u3164书★"},
		{"Hangul jamo fillers", "秘\u115f\u1160密★", "秘\u115f\u1160书★"},
		{"blank Braille", "机\u2800密", "机\u2800要"},
		{"enclosing circle", "机\u20dd密\u20dd", "机\u20dd要\u20dd"},
		{"soft hyphen", "绝\u00ad密", "绝\u00ad缘"},
		{"variation selector", "秘\ufe00密\U000e0100★", "秘\ufe00书\U000e0100★"},
		{"circled character", "㊙密★", "㊙书★"},
		{"dot inside the degree", "机·密★10年", "机·要★10年"},
		{"secrecy grade", "涉密等级：机密", "涉密等级：非密"},
		{"protection level", "保密级别：秘密", "保密级别：无"},
		{"determined", "定密：机密", "定密工作按规定办理"},
		{"protection grade", "保密等级: 二级", "保密等级: 不涉密"},
		{"two labels", "密级：无 保密期限：5年", "密级：无 保密期限：无"},
		{"empty form", "密级：秘密____", "密级：____"},
		{"English label", "Classification: Secret", "Classification: unclassified"},
		{"this document", "本件为机密级。", "本办法所称秘密为国家秘密"},
		{"name of a file", "机密.pdf", "机密工作.pdf"},
		{"carriage return", "通知\r机密\r正文", "通知\r机要\r正文"},
		{"bare word behind a full line", "关于做好二〇二七年度重点工作安排和经费预算的通知\n机密", "各单位要严格遵守有关法律法规和工作纪律，切实保守国家\n秘密。"},
		{"star inside the degree", "机🌟密", "机🌟要"},
		{"label in brackets", "【密级】机密", "【密级】无"},
		{"label, then brackets", "密级（机密）", "密级（绝密、机密、秘密）"},
		{"label and dash", "密级—机密", "密级—秘密级以上的"},
		{"label above its value", "保密期限\n十年", "保密期限\n十年以上的载体"},
		{"examination paper", "绝密·启用前", "绝密飞行·启用前"},
		{"degree before a title", "机密 关于预算的报告", "机密文件 关于管理的报告"},
		{"none in words", "密级：涉及国家秘密", "密级：不涉及国家秘密"},
		{"a line between", "甲\n机 密\n乙", "甲\n机 关\n乙"},
	} {
		if _, found := document.FindClassification(tt.refused); !found {
			t.Errorf("%s: %q passes", tt.name, tt.refused)
		}
		if kind, found := document.FindClassification(tt.passes); found {
			t.Errorf("%s: %q is refused (%s)", tt.name, tt.passes, kind)
		}
	}
}

func TestTheWordInProsePasses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"关于加强秘密载体管理的通知", "关于加强机密文件管理工作的通知", "各单位要认真贯彻《中华人民共和国保守国家秘密法》。",
		"秘密级以上载体不得通过普通邮政寄递", "机密级计算机", "商业秘密", "国家秘密", "不得泄露商业秘密、个人隐私",
		"国家秘密的密级分为绝密、机密、秘密三级。", "国家秘密的保密期限，除另有规定外，绝密级不超过三十年，机密级不超过二十年，秘密级不超过十年。",
		"确定国家秘密的密级、保密期限和知悉范围", "密级和保密期限的标注办法", "绝密、机密、秘密", "机密/秘密", "严守党和国家秘密。",
		"试点范围为非涉密公文，涉密公文不得进入本系统", "非密 10年", "保守秘密 人人有责", "秘密会议", "机密性、完整性和可用性",
		"定密责任人：各单位主要负责人", "* 秘密载体管理", "- 机密文件归档", "涉密等级保护", "国家秘密 保密期限届满自行解密",
	} {
		if kind, found := document.FindClassification(text); found {
			t.Errorf("%q is refused (%s)", text, kind)
		}
	}
}

func TestClassifiedElementNamed(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		"密级", "保密期限", "保密等级", "涉密等级", "定密依据", "定密责任人", "文件密级", "密级标识", "SecurityLevel", "secret_level",
		"secrecy-level", "Classification", "security.class", "DocSecretLevel", "密 級", "保密级别", "解密时间",
	} {
		for _, value := range []string{"机密", "1", "内部", "10年", "secret"} {
			if !document.ClassifiedElementNamed(key, value) {
				t.Errorf("%s=%s passes", key, value)
			}
		}
		for _, value := range []string{"", " ", "无", "非密", "不涉密", "公开", "Unclassified", "无密级", "——", "none"} {
			if document.ClassifiedElementNamed(key, value) {
				t.Errorf("%s=%s is refused", key, value)
			}
		}
	}
	for _, key := range []string{"标题", "紧急程度", "保管期限", "ImageClassification", "level", "保密办联系人", "密码", "secretary", "定密工作方案", "密级标注办法", "保密期限管理规定"} {
		if document.ClassifiedElementNamed(key, "3") {
			t.Errorf("%s is taken for a classification", key)
		}
	}
}

func FuzzFindClassification(f *testing.F) {
	for _, seed := range []string{"机密★10年", "密级：无", "秘\u3164密", "\xff机\xfe密", "㊙密", "密级密级::", "绝密.pdf", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kind, found := document.FindClassification(text)
		if found != (kind != "") {
			t.Fatalf("%q, %v", kind, found)
		}
		document.ClassifiedElementNamed(text, text)
		if !strings.Contains(text, "密") || found {
			return
		}
		if _, again := document.FindClassification(text + "\n机密★"); !again {
			t.Fatal("text before a mark hides it")
		}
	})
}

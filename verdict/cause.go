package verdict

// cause is a reason as one check gives it.
type cause struct {
	check  CheckName
	reason Reason
}

// causes are the sentences of reasons that several checks share, where the sentence of the reason alone would name the cause
// of another check.
var causes = map[cause]phrase{
	{CheckSealMaker, SealValidity}:         {"whoever made the seal may not make seals", "制作该印章者无制章权"},
	{CheckSealMaker, SignerCert}:           {"the certificate of the seal's maker cannot be read", "制章人证书无法读取"},
	{CheckSealMaker, AlgMismatch}:          {"the algorithm of the maker's signature does not fit", "制章人签名的算法不符"},
	{CheckSealValidity, SealMismatch}:      {"the register holds another seal under this identity", "印章名册中同一标识登记的是另一枚印章"},
	{CheckSealValidity, RevocationUnknown}: {"the register of seals could not be asked", "未能查询印章名册"},
	{CheckSealValidity, NoProofOfExistence}: {
		"no proven time shows that the document was sealed while the seal was in force", "没有可信时间证明用印发生在印章处于有效状态期间",
	},
	{CheckSealValidity, SealVersion}: {"the seal has a critical extension that is not known", "印章带有无法识别的关键扩展"},
	{CheckDataHash, SigValue}:        {"the signature was made for other content", "签名所针对的内容与此不同"},
}

func textOf(n CheckName, r Reason, l Language) string {
	if p, ok := causes[cause{n, r}]; ok {
		return p.in(l)
	}
	return r.Text(l)
}

// ReasonText is the sentence for the reason of a check in a language, empty for none.
func (c Check) ReasonText(l Language) string {
	if c.Reason == "" {
		return ""
	}
	return textOf(c.Name, c.Reason, l)
}

// ReasonText is the sentence for the reason of a signature: that of the check that decided.
func (s *Signature) ReasonText(l Language) string {
	if s.Reason == "" {
		return ""
	}
	return textOf(decided(s.Checks, s.Verdict, s.Reason), s.Reason, l)
}

// ReasonText is the sentence for the reason of a file: that of the check that decided, in it, in its signatures or in its
// parts.
func (f *File) ReasonText(l Language) string {
	if f.Reason == "" {
		return ""
	}
	return textOf(f.decided(), f.Reason, l)
}

func (f *File) decided() CheckName {
	if n := decided(f.Checks, f.Verdict, f.Reason); n != "" {
		return n
	}
	for _, s := range f.Signatures {
		if n := decided(s.Checks, f.Verdict, f.Reason); n != "" {
			return n
		}
	}
	for i := range f.Parts {
		if n := f.Parts[i].decided(); n != "" && f.Parts[i].Reason == f.Reason {
			return n
		}
	}
	return ""
}

// decided is the first check that gives the reason with that status; empty if none does.
func decided(checks []Check, s Status, r Reason) CheckName {
	for _, c := range checks {
		if c.Status == s && c.Reason == r {
			return c.Name
		}
	}
	return ""
}

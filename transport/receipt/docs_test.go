package receipt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"yinxin/archive/tlog"
	"yinxin/testvectors"
	"yinxin/transport"
	"yinxin/transport/receipt"
)

// events in the order of the document.
var events = []transport.Event{
	transport.SubmissionAcceptance, transport.SubmissionRejection, transport.RelayAcceptance, transport.RelayRejection,
	transport.RelayFailure, transport.ContentConsignment, transport.ContentConsignmentFailure,
	transport.ConsignmentNotification, transport.ConsignmentNotificationFailure, transport.NotificationForAcceptance,
	transport.ConsignmentAcceptance, transport.ConsignmentRejection, transport.AcceptanceRejectionExpiry,
	transport.ContentHandover, transport.ContentHandoverFailure,
	transport.SealApplied, transport.Withdrawal, transport.ReturnAcknowledgement, transport.Deposit,
	transport.WithdrawalRequest, transport.Escalation, transport.CopyPrinted, transport.CopyVoided,
	transport.Reissue, transport.Correction, transport.Annulment, transport.SenderCheck, transport.SenderCheckExpiry,
	transport.LogGap, transport.LegalHold, transport.LegalHoldRelease, transport.Disposal, transport.Supplement,
}

func eventRow(e transport.Event) string {
	by, required := receipt.StatementBy(e)
	party := string(by)
	if by == receipt.NoParty {
		party = "–"
	} else if !required {
		party += " (may)"
	}
	reasons := "–"
	if codes := receipt.Reasons(e); len(codes) > 0 {
		reasons = "`" + strings.Join(codes, "` `") + "`"
		if !e.Negative() {
			reasons += " or none"
		}
	}
	return fmt.Sprintf("| `%s` | %s | %s |\n", e, party, reasons)
}

// TestDocument holds docs/formats/receipt.md to the code.
func TestDocument(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats", "receipt.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	accepted, err := testvectors.Read("receipt/accepted.yxr")
	if err != nil {
		t.Fatal(err)
	}
	wants := []string{
		"```json\n" + string(accepted) + "```\n",
		"`" + receipt.Schema + "`",
		fmt.Sprintf("At most %d bytes.", receipt.MaxEntry),
		fmt.Sprintf("at most %d bytes in all", receipt.MaxStatement),
		fmt.Sprintf("a line feed; at most %d bytes", receipt.MaxReceipt),
		fmt.Sprintf("at most %d, from the leaf upwards", tlog.MaxProof),
		fmt.Sprintf("array of base64 DER certificates, at most %d", receipt.MaxCertificates),
		fmt.Sprintf("at most %d characters |", receipt.MaxNumber),
		fmt.Sprintf("at most %d characters, no control", receipt.MaxText),
		fmt.Sprintf("1 to %d of `A-Z a-z 0-9 . _ -`", transport.MaxCode),
	}
	for _, e := range events {
		wants = append(wants, eventRow(e))
	}
	for code, text := range transport.ReturnReasons() {
		wants = append(wants, code+" "+text)
	}
	for _, want := range wants {
		if !strings.Contains(strings.ReplaceAll(doc, "\n04", " 04"), want) {
			t.Errorf("docs/formats/receipt.md lacks:\n%s", want)
		}
	}
	for _, member := range regexp.MustCompile(`"([a-z0-9_]+)":`).FindAllStringSubmatch(string(accepted), -1) {
		if !strings.Contains(doc, "`"+member[1]+"`") {
			t.Errorf("docs/formats/receipt.md does not name the member %s", member[1])
		}
	}
}

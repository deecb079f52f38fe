package httpapi_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// attackRows names the tests that hold rows of the attack catalogue on receipts, exchange and platform. A row that no
// test holds yet is not here.
func attackRows() map[string][]string {
	return map[string][]string{
		"R-01 a receipt of something else": {"transport/receipt/receipt_test.go TestCorruptionsHaveTheirReasons"},
		"R-04 the same again, other bytes, many at once": {
			"transport/hub/hub_test.go TestSubmitAgain", "transport/hub/hub_test.go TestSubmitManyAtOnce",
		},
		"R-05 moves out of order":          {"transport/hub/machine_test.go TestRandomActs", "transport/hub/hub_test.go TestWithdrawAgainstOpen"},
		"R-02 statements signed by others": {"transport/hub/hub_test.go TestStatementsOfOthers", "transport/receipt/receipt_test.go TestOnlyThePartyItselfCanStateItsAct"},
		"W-01 another office's objects":    {"internal/httpapi/httpapi_test.go TestAnotherOfficeSeesNothing", "internal/embedded/http_test.go TestOfficeRoutesShowNothingToOthers"},
		"W-02 roles":                       {"transport/directory/directory_test.go TestNoAccountHoldsBoth", "internal/httpapi/httpapi_test.go TestEveryRouteHasItsRule"},
		"W-07 uploads that are too many, too long or left": {
			"internal/httpapi/uploads_test.go TestUploadRefusals", "internal/httpapi/httpapi_test.go TestCutUpload",
		},
		"W-08 slow clients, too many connections": {
			"internal/httpapi/fair_internal_test.go TestSlowClientsAreLetGo", "internal/httpapi/fair_internal_test.go TestConnectionsAreBounded",
		},
		"W-19 one office floods the others": {
			"internal/httpapi/fair_internal_test.go TestOfficesWaitInTurn", "internal/httpapi/uploads_test.go TestRatesAreLimited",
			"internal/httpapi/uploads_test.go TestSlowUploadsOfOneOfficeDoNotStopAnother",
		},
		"W-11 sessions after a change of rights": {"transport/directory/directory_test.go TestSessionsEndWithWhatTheyRestOn"},
		"W-03 fields, verbs and paths":           {"internal/web/security_test.go TestRequestsAreTakenAsTheyAre"},
		"W-06 names of files":                    {"internal/web/security_test.go TestFileNames"},
		"W-07 uploads cut off or too large":      {"transport/hub/hub_test.go TestSubmitCutOffOrLarge", "internal/httpapi/httpapi_test.go TestCutUpload"},
		"W-08 slow clients":                      {"internal/faults/net_test.go TestSlowClients"},
		"W-11 sessions of the console":           {"internal/web/security_test.go TestSession"},
		"W-17 statements of constants alone":     {"internal/housekeeping/sql_test.go TestRepositorySQL"},
		"W-10, W-11 guessing and locking out":    {"transport/directory/directory_test.go TestNobodyLocksOthersOut"},
	}
}

// TestAttackRowsHaveTheirTests: the tests of the table exist.
func TestAttackRowsHaveTheirTests(t *testing.T) {
	for row, tests := range attackRows() {
		for _, name := range tests {
			m := regexp.MustCompile(`^(\S+)(?: (Test\w+))?$`).FindStringSubmatch(name)
			src, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(m[1])))
			if err != nil || m[2] == "" || !regexp.MustCompile(`(?m)^func `+m[2]+`\(t \*testing\.T\)`).Match(src) {
				t.Errorf("row %s: %s is no test (%v)", row, name, err)
			}
		}
	}
}

package hub_test

import (
	"context"
	"os"
	"testing"

	"yinxin/internal/postgres"
	"yinxin/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// onPostgres begins the names of tests whose store start takes from PostgreSQL.
const onPostgres = "TestOnPostgres/"

func openPostgres(tb testing.TB) *postgres.DB {
	tb.Helper()
	db, err := postgres.Open(context.Background(), pgtest.Database(tb), postgres.Options{Connections: 8})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// TestOnPostgres runs the tests of the exchange, which stand beside it, once more on PostgreSQL.
func TestOnPostgres(t *testing.T) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"WholePath", TestWholePath},
		{"SubmitAgain", TestSubmitAgain},
		{"SubmitManyAtOnce", TestSubmitManyAtOnce},
		{"SubmitRefusals", TestSubmitRefusals},
		{"WithdrawAgainstOpen", TestWithdrawAgainstOpen},
		{"ReturnAndItsAcknowledgement", TestReturnAndItsAcknowledgement},
		{"OverdueIsAMark", TestOverdueIsAMark},
		{"DeliveryIsGivenUp", TestDeliveryIsGivenUp},
		{"AddresseeClosesBeforeRouting", TestAddresseeClosesBeforeRouting},
		{"RepeatOutlivesTheDirectory", TestRepeatOutlivesTheDirectory},
		{"QueueBound", TestQueueBound},
		{"NoAuditNoAct", TestNoAuditNoAct},
		{"RandomActs", TestRandomActs},
		{"ReissueCorrectAnnul", TestReissueCorrectAnnul},
		{"RandomReferences", TestRandomReferences},
		{"Copies", TestCopies},
		{"RequestAfterHandOver", TestRequestAfterHandOver},
		{"LimitsAndReminders", TestLimitsAndReminders},
		{"SenderLooks", TestSenderLooks},
		{"UploadAcrossHubs", TestUploadAcrossHubs},
		{"UploadOutcomes", TestUploadOutcomes},
	} {
		t.Run(tt.name, tt.run)
	}
}

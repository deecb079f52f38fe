-- +goose Up

-- A dispatch that was approved and cannot be sealed any more ends as failed; an approval may be taken back until then.
ALTER TABLE dispatches DROP CONSTRAINT dispatches_state_check;
ALTER TABLE dispatches ADD CONSTRAINT dispatches_state_check
    CHECK (state IN ('pending', 'approved', 'packed', 'sent', 'declined', 'failed', 'refused'));
DROP TRIGGER dispatches_arrow ON dispatches;
CREATE TRIGGER dispatches_arrow BEFORE UPDATE OF state ON dispatches FOR EACH ROW
    WHEN (OLD.state || '>' || NEW.state NOT IN (
        'pending>approved', 'pending>declined', 'approved>packed', 'approved>declined', 'approved>failed',
        'packed>sent', 'packed>refused'))
    EXECUTE FUNCTION refuse_change('transition is not allowed');

package layout

import "math"

// expectation is one row of the table that pages are judged by: what GB/T 9704-2012 and GB/T 33476.2-2016 say, in mm
// unless the measure says otherwise. The numbers are typed from the standards and share nothing with the composer's.
type expectation struct {
	clause string
	// least and most are the same for a distance that the standard fixes.
	least, most float64
	tolerance   float64
}

func exactly(clause string, v, tolerance float64) expectation {
	return expectation{clause: clause, least: v, most: v, tolerance: tolerance}
}

func between(clause string, least, most, tolerance float64) expectation {
	return expectation{clause: clause, least: least, most: most, tolerance: tolerance}
}

// Widths and heights of the standard: a character of the body, a line, the type area.
const (
	oneChar      = 5.571 // 156 mm in 28 characters
	oneRow       = 10.39 // GB/T 33476.2-2016
	charOf4      = 4.939 // 14 pt
	charOf3      = 5.556 // 15.75 pt
	charOf2      = 7.761 // 22 pt; 21 pt in the old series
	textLeft     = 28.0
	textRight    = 184.0
	textTop      = 37.0
	textFoot     = 262.0
	usual        = 1.0 // the standard's own tolerance for margins, taken where none is given
	anything     = math.MaxFloat64
	sizeSlack    = 0.05
	textMiddle   = (textLeft + textRight) / 2
	sevenEighths = 4.86
)

// expectations is the table, by element and measure.
func expectations() map[string]expectation {
	return map[string]expectation{
		"page.width":  exactly("5.1", 210, usual),
		"page.height": exactly("5.1", 297, usual),

		// counts of characters, save the stretch, which is a part of a character's own width
		"page.unseen":             exactly(ownRule, 0, 0),
		"page.turned":             exactly(ownRule, 0, 0),
		"page.overlap":            exactly(ownRule, 0, 0),
		"page.missing_characters": exactly(ownRule, 0, 0),
		"page.coloured":           exactly("5.2.4", 0, 0),
		"page.slanted":            exactly("5.2.2", 0, 0),
		"page.bold":               exactly("5.2.2", 0, 0),
		"page.stretch":            exactly("5.2.2", 1, 0.02),

		"page.marred": exactly(ownRule, 0, 0),

		"table_rule.within":  exactly("5.2.1", 0, usual),
		"table_rule.meet":    exactly(ownRule, 0, 0.5), // how far a rule ends from the one that it should meet
		"table_rule.columns": exactly(ownRule, 0, 0.5), // how far a rule stands beside that of the row above
		"table_rule.crossed": exactly(ownRule, 0, 0),   // characters
		"table_rule.size":    exactly(ownRule, 0, sizeSlack),

		"type_area.left":   exactly("5.2.1", textLeft, usual),
		"type_area.right":  exactly("5.2.1", textRight, usual),
		"type_area.top":    exactly("5.2.1", textTop, usual),
		"type_area.within": exactly("5.2.1", 0, usual), // how far ink reaches beyond it

		"copy_number.top":  exactly("7.2.1", textTop, usual),
		"copy_number.left": exactly("7.2.1", textLeft, usual),
		"urgency.line":     exactly("7.2.3", 0, usual), // from the first line, or the second below a 份号
		"urgency.left":     exactly("7.2.3", textLeft, usual),

		"red_head.top":         exactly("7.2.4", textTop+35, usual),
		"red_head.top_letter":  exactly("10.1", 30, usual),
		"red_head.top_order":   exactly("10.2", textTop+20, usual),
		"red_head.top_minutes": exactly("10.3", textTop+35, usual),
		"red_head.centre":      exactly("7.2.4", textMiddle, usual),
		"red_head.width":       between("7.2.4", 0, 156, usual),

		"red_head.left_edges":  exactly("7.2.4", 0, usual), // of the names of a joint document, from the first
		"red_head.right_edges": exactly("7.2.4", 0, usual),
		"red_head.word_middle": exactly("7.2.4", 0, usual), // 文件 in the middle of the names

		"number.below_red_head":    exactly("7.2.5", 2*oneRow, usual),
		"number.centre":            exactly("7.2.5", textMiddle, usual),
		"number.left_upward":       exactly("7.2.5", textLeft+oneChar, usual),
		"number.right_letter":      exactly("10.1", textRight, usual),
		"number.below_rule_letter": exactly("10.1", sevenEighths, usual),
		"approver.right":           exactly("7.2.6", textRight-oneChar, usual),
		"approver.line":            exactly("7.2.6", 0, usual), // the number stands on the line of the last name

		"approver.column": exactly("7.2.6", 0, usual), // further lines begin below the first name

		// the standard gives no thickness: what an eye takes for a rule and not for a bar
		"red_rule.thickness":           between(ownRule, 0.2, 1.2, 0),
		"red_rule.thickness_letter":    between(ownRule, 0.1, 1.6, 0),
		"red_rule.below_number":        exactly("7.2.7", 4, usual),
		"red_rule.length":              exactly("7.2.7", 156, usual),
		"red_rule.left":                exactly("7.2.7", textLeft, usual),
		"red_rule.below_head_letter":   exactly("10.1", 4, usual),
		"red_rule.length_letter":       exactly("10.1", 170, usual),
		"red_rule.centre_letter":       exactly("10.1", 105, usual),
		"red_rule.foot_letter":         exactly("10.1", 20, usual),
		"red_rule.thick_above_letter":  between("10.1", 0.05, anything, 0),
		"red_rule.thick_below_letter":  between("10.1", 0.05, anything, 0),
		"red_rule.count":               exactly("7.2.7", 1, 0),
		"red_rule.count_letter":        exactly("10.1", 4, 0),
		"title.below_rule":             exactly("7.3.1", 2*oneRow, usual),
		"title.below_last_letter":      exactly("10.1", 2*oneRow, usual),
		"title.centre":                 exactly("7.3.1", textMiddle, usual),
		"title.leading":                exactly("7.3.1", 0, usual), // between the widest and the narrowest step of its lines
		"title.size":                   between("7.3.1", 7.408, charOf2, sizeSlack),
		"to.below_title":               exactly("7.3.2", oneRow, usual),
		"to.left":                      exactly("7.3.2", textLeft, usual),
		"body.below_number_order":      exactly("10.2", 2*oneRow, usual),
		"body.on_first_page":           between("7.3.3", 1, anything, 0),
		"body.indent":                  exactly("7.3.3", 2*oneChar, usual),
		"body.size":                    exactly("5.2.2", charOf3, sizeSlack),
		"body.pitch":                   exactly("5.2.3", oneRow, 0.2),
		"body.character":               between("5.2.3", oneChar, 156.0/24, 0.05),
		"body.lines":                   between("5.2.3", 0, 22, 0),
		"attachment_note.below":        exactly("7.3.4", 2*oneRow, usual),
		"attachment_note.hanging":      exactly("7.3.4", 0, usual), // of further lines, from where they should begin
		"attachment_note.indent":       exactly("7.3.4", 2*oneChar, usual),
		"attendance.indent":            exactly("10.3", 2*oneChar, usual),
		"attendance.below":             exactly("10.3", 2*oneRow, usual), // the first list, from the text
		"attendance.hanging":           exactly("10.3", 0, usual),        // of further lines, from behind the colon
		"issued_on.from_right":         exactly("7.3.5.1", 4*oneChar, usual),
		"issued_on.from_right_stamp":   exactly("7.3.5.3", 4*oneChar, usual),
		"issued_on.below_stamp":        exactly("7.3.5.3", oneRow, usual),
		"issued_on.beside_name":        exactly("7.3.5.2", 2*oneChar, usual),
		"issued_on.from_right_minutes": exactly("10.3", oneChar, usual),
		"signed_by.over_date":          exactly("7.3.5.1", 0, usual),
		"signed_by.above_date":         exactly("7.3.5", oneRow, usual),
		"signed_by.below_text":         exactly("7.3.5.2", 2*oneRow, usual),
		"signed_by.place":              exactly("7.3.5.2", 0, usual),
		"signed_by.in_seal":            between("7.3.5.1", 0, 0.5, 0.1), // of the seal's diameter from its centre
		"signed_by.under_seal":         exactly("7.3.5.1", 0, usual),
		"signed_by.count":              exactly("7.3.5.1", 0, 0),     // names, more than the red head's
		"signed_by.row":                exactly("7.3.5.1", 0, usual), // between names of a row
		"signed_by.columns":            exactly("7.3.5.1", 0, usual), // between the steps from name to name of a row
		"seal.over_date":               exactly("7.3.5.1", 0, usual),
		"seal.date_below_centre":       between("7.3.5.1", 0, 0.5, 0), // of the seal's diameter: 骑年盖月
		"seal.below_text":              between("7.3.5.1", 0, oneRow, usual),
		"seal.within":                  exactly("7.3.5.1", 0, usual), // how far a row reaches beyond the type area
		"seal.apart":                   between("7.3.5.1", 0.01, anything, 0),
		"seal.with_text":               between("7.3.5.5", 1, anything, 0), // lines of text on its page
		"seal.page":                    exactly("7.3.5.1", 0, 0),           // pages between it and the date
		"stamp.below_text":             exactly("7.3.5.3", 2*oneRow, usual),
		"stamp.from_right":             exactly("7.3.5.3", 4*oneChar, usual),
		"office_title.beside_stamp":    exactly("7.3.5.3", 2*oneChar, usual),
		"office_title.middle":          exactly("7.3.5.3", 0, usual),
		"note.indent":                  exactly("7.3.6", 2*oneChar, usual),
		"note.below_date":              exactly("7.3.6", oneRow, usual),

		// sizes of the elements that are set as the body is, and of those of the 版记
		"copy_number.size":     exactly("5.2.2", charOf3, sizeSlack),
		"urgency.size":         exactly("5.2.2", charOf3, sizeSlack),
		"number.size":          exactly("5.2.2", charOf3, sizeSlack),
		"approver.size":        exactly("5.2.2", charOf3, sizeSlack),
		"to.size":              exactly("5.2.2", charOf3, sizeSlack),
		"attachment_note.size": exactly("5.2.2", charOf3, sizeSlack),
		"signed_by.size":       exactly("5.2.2", charOf3, sizeSlack),
		"issued_on.size":       exactly("5.2.2", charOf3, sizeSlack),
		"note.size":            exactly("5.2.2", charOf3, sizeSlack),
		"attendance.size":      exactly("5.2.2", charOf3, sizeSlack),
		"annex_label.size":     exactly("5.2.2", charOf3, sizeSlack),
		"printed_on.size":      exactly("7.4.3", charOf4, sizeSlack),
		"annex_title.size":     between("7.3.7", 7.408, charOf2, sizeSlack),
		"body.off_grid":        exactly("5.2.3", 0, usual), // how far a line stands off whole lines below the one before
		"body.gap":             between("5.2.3", 0, 1, 0),  // in lines, from one to the next
		"body.even":            exactly("5.2.3", 0, 0.3),   // between the widest and the narrowest step of a line
		"body.narrowest":       between("5.2.3", oneChar, anything, 0.05),
		"note.near_seals":      between("7.3.6", -usual, 2*oneRow, usual),
		"note.below_seals":     between("7.3.6", oneRow, anything, usual),

		"annex_label.top":    exactly("7.3.7", textTop, usual),
		"annex_label.left":   exactly("7.3.7", textLeft, usual),
		"annex_title.top":    exactly("7.3.7", textTop+2*oneRow, usual),
		"annex_title.centre": exactly("7.3.7", textMiddle, usual),

		"imprint_rule.last":     exactly("7.4.1", textFoot, usual),
		"imprint_rule.length":   exactly("7.4.1", 156, usual),
		"imprint_rule.outer":    exactly("7.4.1", 0.35, 0.05),
		"imprint_rule.inner":    exactly("7.4.1", 0.25, 0.05),
		"imprint_rule.count":    between("7.4.1", 2, anything, 0),
		"imprint_rule.odd_page": exactly("GB/T 33476.2 7.3.1", 0, 0), // 1 for an odd page
		"imprint_rule.between":  between("7.4.1", 1, anything, 0),    // above who printed, below a list
		"cc.hanging":            exactly("7.4.2", 0, usual),          // of further lines, from behind the colon
		"cc.left":               exactly("7.4.2", textLeft+charOf4, usual),
		"cc.size":               exactly("7.4.2", charOf4, sizeSlack),
		"printed_by.left":       exactly("7.4.3", textLeft+charOf4, usual),
		"printed_on.right":      exactly("7.4.3", textRight-charOf4, usual),

		"page_number.below":   exactly("7.5", 7, usual),
		"page_number.outside": exactly("7.5", charOf4, usual),
		"page_number.size":    exactly("7.5", charOf4, sizeSlack),
		"page_number.count":   exactly("7.5", 1, 0),
		"page_number.value":   exactly("7.5", 0, 0), // difference from the page's place
	}
}

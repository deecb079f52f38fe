// Package web is the console: what people of offices, archive and hub do all day, as pages that the server draws.
//
// It promises that every page works with scripts blocked; that no page loads or sends anything to another host; that
// every route has a stated access rule and is refused by default; that what belongs to another office is answered like
// what does not exist; that a change needs a POST from a page of this host, with the session cookie that no other site's
// request carries; that a form field nobody asked for is refused; and that a document's text goes nowhere but into
// the page of somebody whose office holds it.
//
// It holds no rules of the exchange: those are in the services that it declares as interfaces and calls. Where a verdict
// is shown, it is package verdict's, in that package's words.
//
// Opened documents are kept in memory for a while, so that turning a page does not open the envelope again; every page
// still asks the hub whether the office may see it now.
package web

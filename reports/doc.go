// Package reports writes what a run says of itself, from its record alone:
//
//	summary/      text for a terminal and Markdown for a CI summary  summary.md
//	junit/        JUnit XML                                          junit.xml
//	html/         one page with pictures, no network                 report.html
//	conformance/  Gateway API's ConformanceReport                    conformance.yaml
//	prometheus/   metrics as text                                    metrics.prom
//	json/         verdicts as JSON, JSON Schemas of the record       (package record writes the files)
//
// Every renderer is a function from a record to bytes: the same record gives
// the same bytes, anywhere. None of them judges (package claim does), talks to
// a cluster or opens a connection.
package reports

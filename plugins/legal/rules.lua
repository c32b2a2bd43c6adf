-- Legal offices: deadlines, conflicts, time and bills, filings, privilege, notaries, education.
-- Nothing here is legal advice: every answer is a proposal, and an attorney decides.
-- Each file in lua/ says in its first line what it holds.

require "deadlines"
require "conflicts"
require "practice"
require "billing"
require "filings"
require "privilege"
require "notary"
require "training"
require "walls"
require "reports_matters"
require "reports_billing"
require "ledes"
require "reports_records"
require "attention"

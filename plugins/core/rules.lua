-- Core: rules and reports of the duties that every field shares.
-- Nothing here is legal advice: a rule says what a law or a policy says, a person decides.
-- Each file in lua/ says in its first line what it holds.

require "time_and_place"
require "credentials"
require "duties"
require "papers"
require "people"
require "records"
require "daily"
require "reports_rules"
require "reports_people"
require "reports_work"
require "reports_records"
require "reports_training"
require "reports_communication"
require "reports_planning"
require "attention"

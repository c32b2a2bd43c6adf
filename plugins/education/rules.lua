-- Education: rules EDU-R01 to EDU-R16 and EDU-S01 to EDU-S05, completions and reports.
--
-- A rule judges as of the time of the act. Two records that disagree both stay; a finding that
-- names both is the same finding whichever of the two was judged.
-- Each file in lua/ says in its first line what it holds.

require "attendance"
require "behavior"
require "services"
require "qualification"
require "supervision"
require "testing"
require "families"
require "daily"
require "reports_attendance"
require "reports_behavior"
require "reports_services"
require "reports_progress"
require "reports_day"
require "reports_support"
require "attention"

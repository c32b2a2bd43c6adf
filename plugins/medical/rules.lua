-- Medical: rules and reports of clinics, dental offices and health offices of schools.
-- Nothing here is medical advice: a rule says what an order or a policy says, a person decides.
-- Each file in lua/ says in its first line what it holds.

require "doses"
require "allergies"
require "orders"
require "delegation"
require "controlled"
require "care"
require "papers"
require "reports_medication"
require "reports_care"
require "attention"

#pragma once
// What a plugin is handed, put together from stored text: field values are canonical JSON already
// and are copied, never parsed (encoding costs more than isolation does).

#include "rules/needs.h"

#include <string>

namespace dutybook::rules {

struct CallContext {
    std::string zone;           // of the site
    std::optional<Millis> now;  // only for clock rules and reports
    std::string language;       // of a report's reader
    std::string reader;         // of a report: the person's id, may be empty
};

// A record as plugins/REFERENCE.md describes it: its fields, and the envelope as "_id", "_kind"...
std::string record_text(const RuleRecord& record);
// {"subject", "needs", "context"}
std::string evaluate_input(const RuleRecord& subject, const NeedSet& set, const Bindings& needs,
                           const CallContext& context);
// {"record", "context"}
std::string complete_input(const RuleRecord& record, const NeedSet* set, const Bindings& needs,
                           const CallContext& context);
// {"record": its fields, "_id", "_kind", "_zone", "_created"}: what no later change alters, so that
// sites that are apart migrate a record alike.
std::string migrate_input(const RuleRecord& record);
// {"parameters", "needs", "context"}
std::string report_input(const std::string& parameters, const NeedSet& set, const Bindings& needs,
                         const CallContext& context);

}  // namespace dutybook::rules

#pragma once
// Open findings that a person must look at, in the words of `today` and `due`.

#include "api/call.h"

#include <set>

namespace dutybook::api {

struct OpenFinding {
    std::string when;  // local date of the record that it is about
    std::string what;  // rule and message
    std::string who;   // the person in that record, by name
    std::string record, rule;
};
struct OpenFindings {
    std::vector<OpenFinding> shown;  // the most severe first, then the newest
    std::uint64_t more = 0;
    std::set<std::string> behind;  // records with a wall whose content it may show
};
struct OpenFindingsQuery {
    std::string person;                              // empty: about anybody
    const std::set<std::string>* records = nullptr;  // about one of these; null: about any
    std::string from, to;                            // local dates of `when`; empty: open
    std::size_t most = 20;
    std::string language;
};
// Never of records that the reader may not see.
Result<OpenFindings> open_findings(const Call& call, core::SpaceService& space,
                                   const OpenFindingsQuery& query);

}  // namespace dutybook::api

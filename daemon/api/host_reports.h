#pragma once
// Reports that the daemon makes itself, of what no plugin may see:
//
//   site.inconsistencies  what the rules found, the records side by side, and what people answered
//   site.sync             whom this site met, what came and went, what is in conflict or set aside
//
// They keep to walls and privacy classes as every other report does.

#include "api/call.h"
#include "rules/manifest.h"

namespace dutybook::api {

// Their names without "site.".
const std::vector<rules::ManifestReport>& host_reports();
const rules::ManifestReport* host_report(const std::string& name);  // "site.sync"; null

struct HostReport {
    const Call& call;
    core::SpaceService& space;
    const Json& parameters;
    const std::string& language;
    std::uint64_t hidden = 0;           // records that the reader may not see
    std::string privacy = "ordinary";   // the highest class of those that are shown
    std::vector<std::string> behind{};  // records with a wall whose content it may show
};
// Blocks. Any thread but the space's.
Result<Json> make_host_report(const std::string& name, HostReport& report);

}  // namespace dutybook::api

#pragma once
// A plugin's report for the caller of a request: what it may see is what its reader may see.

#include "api/call.h"
#include "api/reader.h"
#include "rules/manifest.h"

namespace dutybook::api {

struct MadeReport {
    std::string name, title, privacy, plugin;  // plugin: id, version and digest
    Json parameters = Json::object();
    Json blocks = Json::array();
    std::string language;
    std::string made_at;              // instant in the site's zone
    std::vector<std::string> behind;  // records with a wall whose content it may show
    bool landscape = false;
};

// "a=b" of a request, typed by the report's schema; Code::Malformed if the schema refuses them.
Result<Json> report_parameters(const rules::ManifestReport& report, const std::string& name,
                               const std::vector<std::string>& pairs);
// The declaration of "plugin.report", or of one of the daemon's own; Code::NotFound.
Result<rules::ManifestReport> declared_report(const Services& services, const std::string& name);
// `parameters` are valid by the report's schema.
Result<MadeReport> run_report(const Call& call, core::SpaceService& space, const std::string& name,
                              Json parameters, const std::string& language);

}  // namespace dutybook::api

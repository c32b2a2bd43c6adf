#pragma once
// What the daemon's own reports share: records and findings in words, and tables.

#include "api/host_reports.h"
#include "api/walls.h"

namespace dutybook::api {

std::string plain(const Json& value);  // a text as it is, else JSON

// What both reports need to put records into words.
class Words {
public:
    explicit Words(HostReport& report);

    std::string text(const char* english, const char* spanish) const {
        return spanish_ ? spanish : english;
    }

    std::string site(const std::string& id) const;
    // "2026-05-04 08:00" on the site's wall.
    std::string moment(Millis at) const;
    std::string kind(const std::string& kind) const;
    std::string field(const std::string& kind, const std::string& name) const;

    // By name where the space or its parent knows them.
    std::string person(const std::string& id) const;
    // "Shift 2026-05-04 08:00 (sh-1), North, Rosa Díaz"
    std::string record(const domain::RecordState& state) const;

    static std::string_view origin(const domain::RecordState& state) {
        return domain::site_of(state.created.identity().writer);
    }

    Result<bool> hides_some(const rules::Finding& finding) { return walls_.hides_some(finding); }
    void tell_opened() const {
        report_.behind.assign(walls_.opened().begin(), walls_.opened().end());
    }

    Result<bool> hides(const domain::RecordState& state);

private:
    // Asked for once a kind: thousands of records are of a few.
    const Json& described(const std::string& kind) const;

    HostReport& report_;
    const bool spanish_;
    Walls walls_;
    std::shared_ptr<const domain::Membership> members_;
    std::set<std::string> hidden_;
    mutable std::map<std::string, Json> described_;
    mutable std::map<std::string, std::string> people_;
};

// A heading and a table below it; "none" where it has no rows.
void add_table(Json& blocks, const std::string& title, const std::vector<std::string>& labels,
               Json rows, const Words& words);

struct Seen {  // the records of a finding, as far as they are here
    std::vector<domain::RecordState> states;
    bool hidden = false;
    Millis since = 0;  // when the last of them was written down: from then on it was there to see
    std::string sites;
};
Result<Seen> records_of(const rules::Finding& finding, HostReport& report, Words& words);

Result<Json> make_inconsistencies(HostReport& report);

}  // namespace dutybook::api

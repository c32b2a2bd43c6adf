#include "core/sites_seen.h"

#include "store/signers.h"

namespace dutybook::core {

Result<std::vector<SeenSite>> sites_seen(const std::filesystem::path& space_folder,
                                         const Site& own) {
    TRY_ASSIGN(auto owners, store::owners_of_logs(space_folder / "log.git"));
    std::vector<SeenSite> out;
    bool wrote = false;
    for (const auto& [site, owner] : owners) {
        SeenSite seen{site, {}, site == own.id, owner.key, owner.writers.size(), owner.last_heard};
        if (seen.own) seen.name = own.name;
        wrote = wrote || seen.own;
        out.push_back(std::move(seen));
    }
    if (!wrote) {
        SeenSite seen{own.id, own.name, true, {}, 0, 0};
        TRY_ASSIGN(seen.key, store::key_of_line(own.public_key));
        out.push_back(std::move(seen));
    }
    std::sort(out.begin(), out.end(),
              [](const SeenSite& a, const SeenSite& b) { return a.site < b.site; });
    return out;
}

Json sites_seen_json(const std::vector<SeenSite>& sites) {
    Json out = Json::array();
    for (const SeenSite& one : sites) {
        out.push_back(
            {{"site", one.site},
             {"name", one.name.empty() ? Json() : Json(one.name)},
             {"own", one.own},
             {"key", store::ssh_public_key(one.key)},
             {"logs", one.logs},
             {"last_heard", one.last_heard == 0 ? Json() : Json(format_utc(one.last_heard))}});
    }
    return out;
}

}  // namespace dutybook::core

// Whether one lost machine would leave a space without anybody who may change who belongs.

#include "care/doctor.h"

#include "core/founding.h"
#include "core/identity.h"

#include <algorithm>

namespace dutybook::care {

namespace fs = std::filesystem;

namespace {

Line check_space(const fs::path& store, const std::string& space) {
    const auto members = core::look_at_members(store, space);
    if (!members) {
        return {"administrators", Level::Fail,
                "who belongs to the space " + space + " cannot be read: " + members.error().text(),
                members.error().fix};
    }
    const auto site = core::read_site(store);
    if (site && members->find(site->site.id) == nullptr) {
        return {"membership", Level::Fail,
                "this site is no member of the space " + space +
                    " any more: what made it one gave way to what another administrator did apart; "
                    "what is written here stays here",
                "dutybook recover --key KEY here, or have it invited again and dutybook join FILE "
                "here"};
    }
    const std::size_t active = members->administrators();
    if (active > 1) {
        return {"administrators", Level::Ok,
                "the space " + space + " has " + std::to_string(active), ""};
    }
    return {"administrators", Level::Warn,
            "the space " + space +
                " has only one administrator: if that machine is lost, the "
                "recovery key alone can change who belongs",
            "invite a second one: dutybook invite SITE --role admin --out FILE"};
}

}  // namespace

Lines check_administrators(const fs::path& store) {
    Lines lines;
    std::vector<std::string> spaces;
    std::error_code failed;
    for (const auto& folder : fs::directory_iterator(store / "spaces", failed)) {
        if (fs::exists(folder.path() / "space.json")) spaces.push_back(folder.path().filename());
    }
    std::sort(spaces.begin(), spaces.end());
    for (const auto& space : spaces) lines.push_back(check_space(store, space));
    if (lines.empty()) lines.push_back({"administrators", Level::Ok, "there is no space yet", ""});
    return lines;
}

}  // namespace dutybook::care

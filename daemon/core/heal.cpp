#include "core/identity.h"
#include "core/keyring.h"

#include "base/kept_file.h"
#include "core/package_folder.h"

namespace dutybook::core {

namespace {

Result<void> heal(const fs::path& file) {
    TRY_ASSIGN(auto healed, heal_kept(file));
    if (healed) note_healed(std::move(*healed));
    return {};
}

}  // namespace

Result<void> heal_store(const fs::path& directory) {
    for (const char* name : {"site.json", "plugins.json", "tokens.json", "accounts.json"}) {
        TRY(heal(directory / name));
    }
    for (const auto& file : key_files(directory)) TRY(heal(file));
    std::error_code failed;
    for (const auto& space : fs::directory_iterator(directory / "spaces", failed)) {
        for (const char* name : {"space.json", "remotes.json", "keys.json", "invite.json",
                                 "control.json", "introductions.json"})
            TRY(heal(space.path() / name));
    }
    return heal_packages(directory / "plugins");
}

}  // namespace dutybook::core

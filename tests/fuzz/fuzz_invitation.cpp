// An invitation's file: as it was sealed under a passphrase, and as it stands inside. The cost that
// a file names is bounded by the reader (1 GiB); here only cheap ones are paid.

#include "base/json.h"
#include "cli/invitation.h"
#include "core/invited.h"
#include "fuzz/target.h"

using namespace dutybook;

namespace {

constexpr std::size_t largest = 4 * 1024 * 1024;

bool cheap(const Json& file) {
    const Json kdf = file.value("kdf", Json());
    if (!kdf.is_object()) return true;
    for (const auto& [name, most] : {std::pair{"memory", 1 << 16}, {"operations", 4}}) {
        const Json cost = kdf.value(name, Json());
        if (cost.is_number() && cost > most) return false;
    }
    return true;
}

}  // namespace

DUTYBOOK_FUZZ_TARGET(invitation) {
    const auto file = parse_json(bytes, {32, largest});
    if (!file) return;
    if (cli::is_sealed(*file) && cheap(*file)) (void)cli::open_invitation(*file, "words");
    const auto invited = core::read_invitation(*file);
    if (!invited) {
        fuzz::must(!invited.error().what.empty(), "what is refused has a reason");
        return;
    }
    fuzz::must(!invited->space.id.empty() && !invited->space.name.empty(), "a space has a name");
    fuzz::must(invited->space.name.find('/') == std::string::npos,
               "a space's name is no path that leads elsewhere");
}

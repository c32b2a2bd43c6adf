#include "sync/nightly_check.h"

#include "base/log.h"
#include "core/alarms.h"
#include "store/log_slice.h"

namespace dutybook::sync {

namespace {

constexpr Millis day = 24LL * 3600 * 1000;

void alarm(core::SpaceService& space, const std::string& kind, const std::string& what) {
    log_error("sync", "damage was found", {{"space", space.facts().name}, {"what", what}});
    space.post([kind, what](core::SpaceEngine& engine) {
        engine.raise({"", kind, engine.facts().name, what, 0});
    });
}

void close(core::SpaceService& space, const std::string& kind) {
    space.post([kind](core::SpaceEngine& engine) {
        engine.close_alarm(core::alarm_id(kind, engine.facts().name));
    });
}

}  // namespace

void check_nightly(core::SpaceService& space, const std::filesystem::path& space_directory,
                   Millis now) {
    const auto part = static_cast<std::uint64_t>(now / day) % nightly_parts;
    const auto damages = store::verify_slice(space_directory / "log.git", part, nightly_parts);
    if (damages && !damages->empty()) {
        alarm(space, "bit-rot",
              "the disk has changed what was written: " + damages->front().file + ", " +
                  damages->front().what +
                  (damages->size() > 1 ? ", and " + std::to_string(damages->size() - 1) + " more"
                                       : "") +
                  "; run: dutybook repair, and look after the disk");
    } else if (!damages) {
        log_warning("sync", "the nightly reading of the log failed",
                    {{"error", damages.error().text()}});
    }
    const auto journal =
        space.run([](core::SpaceEngine& engine) { return engine.journal().check(); });
    if (!journal) {
        alarm(space, "journal-damaged",
              journal.error().text() + "; sync now, then restore a backup");
    } else {
        close(space, "journal-damaged");
    }
}

}  // namespace dutybook::sync

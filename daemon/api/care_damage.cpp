#include "api/care_damage.h"

#include <algorithm>
#include <set>

namespace dutybook::api {

namespace {

// Writers of whom the log holds less, without a gap, than was sealed and is shown here.
Result<std::set<domain::Writer>> short_logs(core::SpaceService& space) {
    return space.run([](core::SpaceEngine& engine) -> Result<std::set<domain::Writer>> {
        TRY_ASSIGN(const auto volumes, engine.log().volumes());
        std::map<domain::Writer, std::uint64_t> held;
        for (const auto& volume : volumes) {  // sorted
            auto& last = held[volume.name.writer];
            if (volume.first <= last + 1) last = std::max(last, volume.last);
        }
        const auto own = engine.journal().writers();
        const auto shown = engine.index().frontier();
        std::set<domain::Writer> out;
        for (const auto& [writer, entry] : shown.entries()) {
            const bool ours = std::ranges::find(own, writer) != own.end();
            const auto wanted =
                ours ? std::min(entry.seq, engine.journal().sealed_upto(writer)) : entry.seq;
            if (held[writer] < wanted) out.insert(writer);
        }
        return out;
    });
}

}  // namespace

Damages damages_of(std::vector<store::Damage> found) {
    Damages out;
    for (auto& one : found) out.push_back({std::move(one), false});
    return out;
}

Json damage_json(const Damage& damage) {
    Json volumes = Json::array();
    for (const auto& volume : damage.volumes) volumes.push_back(volume.ref());
    return {{"file", damage.file},     {"what", damage.what}, {"volumes", std::move(volumes)},
            {"healed", damage.healed}, {"lost", damage.lost}, {"how", damage.how}};
}

Result<LogTips> log_tips(core::SpaceService& space) {
    return space.run([](core::SpaceEngine& engine) -> Result<LogTips> {
        TRY_ASSIGN(const auto volumes, engine.log().volumes());
        LogTips tips;
        for (const auto& volume : volumes) tips[volume.name] = volume.tip;
        return Result<LogTips>(boost::system::in_place_value, std::move(tips));
    });
}

// What is shown does not tell it alone: an index that was built again knows of no more.
Result<void> judge_missing(Damages& damages, core::SpaceService& space, const LogTips& before,
                           bool all_asked) {
    TRY_ASSIGN(const auto lacking, short_logs(space));
    TRY_ASSIGN(const auto after, log_tips(space));
    const auto came = [&](const store::VolumeName& volume) {
        const auto now = after.find(volume);
        const auto then = before.find(volume);
        return now != after.end() && (then == before.end() || then->second != now->second) &&
               !lacking.contains(volume.writer);
    };
    for (auto& damage : damages) {
        if (damage.healed) continue;
        const bool back =
            damage.volumes.empty() ? lacking.empty() : std::ranges::all_of(damage.volumes, came);
        damage.healed = back;
        if (back) damage.how = "fetched again from a remote";
        if (back || !all_asked) continue;
        damage.lost = true;
        damage.how =
            "neither this store nor a remote has it: sync with another site that has it, or "
            "restore a backup; what is shown here stays until a rebuild";
    }
    return {};
}

}  // namespace dutybook::api

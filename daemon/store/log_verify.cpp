#include "store/log_survey.h"

namespace dutybook::store {

Result<std::vector<Damage>> GitLog::verify(bool full,
                                           const std::function<void(int percent)>& progress) {
    // Nothing may move files meanwhile; reads go on.
    const std::lock_guard lock(writing_);
    TRY_ASSIGN(auto survey, survey_objects(path_, progress));
    const auto known = tips();
    TRY(survey_refs(path_, known, survey));
    const auto* codec = full ? options_.codec : nullptr;
    std::size_t done = 0;
    for (const auto& [name, info] : known.volumes) {
        if (const auto chain = survey_chain(survey, info.tip, codec); chain.trouble)
            survey.damages.push_back({name.ref(), chain.trouble->text(), {name}, false, {}});
        ++done;
        if (progress) progress(80 + static_cast<int>(done * 20 / known.volumes.size()));
    }
    for (const auto& [ref, tip] : known.others)
        if (const auto whole = survey_other(survey, tip); !whole)
            survey.damages.push_back({ref, whole.error().text(), {}, false, {}});
    const std::lock_guard state(state_);
    auto out = healed_;
    for (const auto& [ref, tip] : broken_) {
        const auto name = VolumeName::parse(ref);
        out.push_back({ref, "its log cannot be read", {}, false, {}});
        if (name) out.back().volumes.push_back(*name);
    }
    for (auto& damage : survey.damages) {
        damage.how = "run repair";
        out.push_back(std::move(damage));
    }
    if (progress) progress(100);
    return out;
}

}  // namespace dutybook::store

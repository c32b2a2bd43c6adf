#include "core/background.h"

#include "base/log.h"

#include <algorithm>

namespace dutybook::core {

bool Background::step() {
    return fold() || seal() || search() || recheck() || trim();
}

bool Background::pressing() const {
    return engine_.unsealed() > far_behind && seal_.due(clock_.monotonic());
}

bool Background::failed(Turn& turn, const char* what, const Error& error) const {
    log_warning("core", what, {{"space", engine_.facts().name}, {"error", error.text()}});
    turn.next = clock_.monotonic() + after_failure;
    return false;
}

bool Background::seal() {
    if (!seal_.due(clock_.monotonic()) || !engine_.seal_due()) return false;
    SpaceEngine::Seal how;
    how.most = 1;
    const auto sealed = engine_.seal(how);
    if (!sealed) return failed(seal_, "sealing failed", sealed.error());
    return *sealed > 0;
}

bool Background::fold() {
    const Millis now = clock_.monotonic();
    if (!fold_.due(now) && !engine_.may_fold_arrived()) return false;
    const auto folded = engine_.fold_received(2000);
    if (!folded) return failed(fold_, "folding failed", folded.error());
    if (!folded->more) fold_.next = now + look_every;
    return folded->more;
}

bool Background::search() {
    if (!search_.due(clock_.monotonic())) return false;
    const auto more = engine_.catch_up_search(1000);
    if (!more) return failed(search_, "the full text is not caught up", more.error());
    if (!*more) search_.next = clock_.monotonic() + rest();
    return *more;
}

bool Background::recheck() {
    if (!recheck_.due(clock_.monotonic())) return false;
    const Millis begun = clock_.monotonic();
    const auto more = engine_.recheck(recheck_slice_);
    if (!more) return failed(recheck_, "rules could not be run again", more.error());
    const Millis took = clock_.monotonic() - begun;
    if (took > slice_time) recheck_slice_ = std::max<std::size_t>(recheck_slice_ / 2, 1);
    if (took < slice_time / 2) recheck_slice_ = std::min(recheck_slice_ * 2, most_rechecks);
    return *more;
}

bool Background::trim() {
    const Millis now = clock_.monotonic();
    if (!trim_.due(now)) return false;
    trim_.next = now + trim_every;
    const auto trimmed = engine_.trim_journal();
    if (!trimmed) return failed(trim_, "the journal is not trimmed", trimmed.error());
    return false;
}

}  // namespace dutybook::core

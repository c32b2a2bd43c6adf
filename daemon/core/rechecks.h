#pragma once
// Verdicts on records that a sync changed, made again in slices between writes. Forgotten at a
// restart without harm: a verdict names the record's version, so one that does not fit is none.

#include "core/space_engine.h"

#include <set>

namespace dutybook::core {

class Rechecks {
public:
    Rechecks(const SpaceFacts& facts, const SpaceParts& parts) : facts_(facts), parts_(parts) {}

    void note(const std::vector<std::string>& records);
    Result<bool> run(std::size_t subjects);  // true = more to do

private:
    Result<void> spread(const std::vector<std::string>& changed);

    const SpaceFacts& facts_;
    const SpaceParts& parts_;
    std::set<std::string> changed_;   // whose reach is not known yet
    std::set<std::string> subjects_;  // to be judged
};

}  // namespace dutybook::core

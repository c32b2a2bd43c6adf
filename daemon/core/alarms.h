#pragma once
// Alarms that stand until their cause is gone. Kept in the journal's meta, so that a restart does
// not forget that a remote went back; those that follow from what is stored are raised again by
// whoever looks.

#include "core/space_engine.h"

#include <map>
#include <string>
#include <vector>

namespace dutybook::core {

class AlarmBook {
public:
    explicit AlarmBook(store::Journal& journal) : journal_(journal) {}

    Result<void> load();
    // Raising one that stands keeps its `since` and takes the new message. Of one kind at most
    // `most_of_a_kind` stand; what comes on top is told by one more, "<kind>:more".
    void raise(Alarm alarm);
    void close(const std::string& id);
    bool stands(const std::string& id) const { return alarms_.count(id) != 0; }
    std::vector<Alarm> list() const;
    std::uint64_t version() const { return version_; }

    static constexpr std::size_t most_of_a_kind = 50;

private:
    // An alarm that cannot be stored still stands in memory: it is told either way.
    void save();

    store::Journal& journal_;
    std::map<std::string, Alarm> alarms_;
    std::uint64_t version_ = 0;
};

// "<kind>:<subject>"
std::string alarm_id(const std::string& kind, const std::string& subject);

}  // namespace dutybook::core

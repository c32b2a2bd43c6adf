#pragma once
// Values of paths as lookups compare them, and references across spaces. Private to needs_*.cpp.

#include "rules/needs.h"

namespace dutybook::rules {

// A value and the space of the record that it stands in.
struct SpacedValue {
    Json value;
    std::string space;
};

// How a lookup is written for the records of one space. An empty space: own and parent.
struct Written {
    Json value;
    std::string space;
    bool operator==(const Written&) const = default;
};

// A reference as (space, id).
struct Reference {
    std::string space, id;
};
Reference reference_of(const std::string& text, const std::string& space);

bool is_reference(const NeedContext& context, const std::string& kind, const std::string& field);

// The forms in which records of `home` (the subject's space) and of the named space would hold the
// reference; records of a parent never refer into a child's space.
std::vector<Written> written_reference(const Reference& reference, const std::string& home);

// All values of a path, from the configuration or from the bound records.
std::vector<SpacedValue> values_of(const Path& path, const Bindings& bindings,
                                   const NeedContext& context);

}  // namespace dutybook::rules

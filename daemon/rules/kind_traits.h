#pragma once
// The x- keywords of a kind's schema (schemas/README.md), read into domain::KindTraits.

#include "base/json.h"
#include "base/result.h"
#include "domain/kind.h"

#include <string>

namespace dutybook::rules {

// `document` has been compiled as a schema already. Errors carry the pointer into it.
Result<domain::KindTraits> read_kind_traits(const Json& document);

// A property's schema with what stands in its allOf members laid over it (a signature is
// {"allOf": [{"$ref": ...}], ...}); local references are followed. For descriptions.
Json flattened(const Json& property, const Json& document);

}  // namespace dutybook::rules

#pragma once
// Part of the care routes.

#include "api/endpoint.h"

namespace dutybook::api {

Endpoint doctor_route();

}  // namespace dutybook::api

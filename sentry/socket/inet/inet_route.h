/* Numbers of routing tables and scopes, as rtnetlink and `ip` show them. */
#pragma once

enum { LX_RT_TABLE_UNSPEC = 0, LX_RT_TABLE_DEFAULT = 253, LX_RT_TABLE_MAIN = 254,
       LX_RT_TABLE_LOCAL = 255 };
enum { LX_RT_SCOPE_UNIVERSE = 0, LX_RT_SCOPE_LINK = 253, LX_RT_SCOPE_HOST = 254 };

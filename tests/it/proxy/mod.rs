//! `audit proxy`, as a process between a client and a server.

mod database;
mod http;
mod stand;
mod stdio;
mod web;

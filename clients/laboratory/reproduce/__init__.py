"""Published experiments run again with this laboratory's agents and mechanisms, with the published figures beside ours."""

-- Whether a process bills; null of one of an earlier version, which does.
alter table nodes add column bills boolean;

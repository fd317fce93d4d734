//! Who is there: people, programs, groups, the quorum.

use std::collections::BTreeSet;

use protocol::role::Role;
use toml::Spanned;

use super::super::plan::{Group, Member};
use super::super::problems::near;
use super::super::written::{File, Word};
use super::{Checker, usual};
use crate::people::{self, PEOPLE};
use crate::quorum::{QuorumSettings, Threshold};

/// Most people and programs of a file.
const MOST: usize = 1_000;

impl Checker<'_> {
    pub(super) fn people(&mut self, file: &File) -> (Vec<Member>, Vec<Group>) {
        let mut seen = BTreeSet::new();
        let mut members = Vec::new();
        if file.people.is_none() && file.api_users.is_none() {
            members.clone_from(&usual().people);
            seen.extend(members.iter().map(|member| member.name.clone()));
        }
        for person in file.people.iter().flatten() {
            let person = person.get_ref();
            self.once(&mut seen, "the user", &person.name);
            let role = self.role(&person.role);
            if role == Some(Role::Owner)
                && members
                    .iter()
                    .any(|member: &Member| member.role == Role::Owner)
            {
                self.wrong(person.role.span(), "there is one OWNER alone");
            }
            members.push(Member {
                name: self.text(&person.name),
                role: role.unwrap_or(Role::Viewer),
                key_pem: None,
            });
        }
        for user in file.api_users.iter().flatten() {
            let user = user.get_ref();
            self.once(&mut seen, "the user", &user.name);
            let role = self.role(&user.role);
            let role = role.filter(|role| {
                let person = *role == Role::Owner;
                if person {
                    let what = "the OWNER is a person: put it under [[people]]";
                    self.wrong(user.role.span(), what);
                }
                !person
            });
            members.push(Member {
                name: self.text(&user.name),
                role: role.unwrap_or(Role::Viewer),
                key_pem: role.and_then(|role| self.key(&user.role, user.key.as_ref(), role)),
            });
        }
        let unread = |word: &Word| word.get_ref().parse::<Role>().is_err();
        let mut people = file.people.iter().flatten().map(Spanned::get_ref);
        if let Some(user) = file.people.iter().flatten().next()
            && members.iter().all(|member| member.role != Role::Owner)
            && !people.any(|person| unread(&person.role))
        {
            let what = "expected an OWNER among the people: every workspace has one";
            self.wrong(user.span(), what);
        }
        if members.len() > MOST {
            self.wrong(
                0..0,
                format!("a file has at most {MOST} people and API users"),
            );
        }
        let groups = self.groups(file, &members, &mut seen);
        (members, groups)
    }

    fn role(&mut self, word: &Word) -> Option<Role> {
        let role = word.get_ref().parse().ok();
        if role.is_none() {
            let all = Role::ALL.map(Role::as_str);
            let what = format!(
                "no such role: {:?}; there are {}{}",
                word.get_ref(),
                all.join(", "),
                near(word.get_ref(), all)
            );
            self.wrong(word.span(), what);
        }
        role
    }

    /// The development key of that name, or of the role.
    fn key(&mut self, role_at: &Word, named: Option<&Word>, role: Role) -> Option<&'static str> {
        let with_keys = || PEOPLE.iter().filter(|person| person.key_pem.is_some());
        let names: Vec<_> = with_keys().map(|person| person.name).collect();
        let Some(named) = named else {
            let own = with_keys().find(|person| person.role == role);
            if own.is_none() {
                let what = format!(
                    "no development key is of the role {role}: say which with key, one of {}",
                    names.join(", ")
                );
                self.wrong(role_at.span(), what);
            }
            return own.and_then(|person| person.key_pem);
        };
        let found = people::named(named.get_ref()).and_then(|person| person.key_pem);
        if found.is_none() {
            let what = format!(
                "no such development key: {:?}; there are {}{}",
                named.get_ref(),
                names.join(", "),
                near(named.get_ref(), names.iter().copied())
            );
            self.wrong(named.span(), what);
        }
        found
    }

    fn groups(
        &mut self,
        file: &File,
        members: &[Member],
        seen: &mut BTreeSet<String>,
    ) -> Vec<Group> {
        let mut groups = Vec::new();
        for group in &file.groups {
            let group = group.get_ref();
            self.once(seen, "the group or user", &group.name);
            if group.members.get_ref().is_empty() {
                let what = format!("the group {:?} names nobody", group.name.get_ref());
                self.wrong(group.members.span(), what);
            }
            let mut within = BTreeSet::new();
            for word in group.members.get_ref() {
                self.once(&mut within, "the member", word);
                if members.iter().all(|member| member.name != *word.get_ref()) {
                    let names = members.iter().map(|member| member.name.as_str());
                    let near = near(word.get_ref(), names);
                    let what = format!("no such person or API user: {:?}{near}", word.get_ref());
                    self.wrong(word.span(), what);
                }
            }
            groups.push(Group {
                name: self.text(&group.name),
                members: within.into_iter().collect(),
            });
        }
        groups
    }

    pub(super) fn quorum(&mut self, file: &File, members: &[Member]) -> Option<QuorumSettings> {
        let quorum = file.quorum.as_ref()?.get_ref();
        let mut settings = QuorumSettings::default();
        settings.delete_users = quorum.delete_users.unwrap_or(settings.delete_users);
        if let Some(threshold) = &quorum.threshold {
            let admins = [
                Role::Owner,
                Role::Admin,
                Role::NonSigningAdmin,
                Role::SecurityAdmin,
            ];
            let able = members
                .iter()
                .filter(|member| admins.contains(&member.role));
            let able = able.count();
            if let Threshold::Number(number) = threshold.get_ref()
                && !(1..=able).contains(number)
            {
                let what = format!(
                    "expected 1 to {able}, the members of the quorum, or \"ALL\"; found {number}"
                );
                self.wrong(threshold.span(), what);
            }
            settings.threshold = *threshold.get_ref();
        }
        Some(settings)
    }
}

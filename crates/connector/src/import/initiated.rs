//! Who created what, as the Console's transaction history tells it: for those who judge, and keep no books.

use protocol::time::Millis;

use super::table::{self, Columns, Row};
use super::{BadRow, ConsoleExport, ImportError, MAX_ROWS, dates, rows};

/// The column that tells.
const BY: &str = "Created By";

/// A transaction that somebody created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initiated {
    /// The creator's name.
    pub by: String,
    /// When.
    pub at: Millis,
}

/// Reads a transaction history. What came in from outside was created by nobody.
pub fn initiated(file: &str, content: &[u8]) -> Result<Vec<Initiated>, ImportError> {
    let mut reader = table::reader(content);
    let header = reader
        .headers()
        .map_err(|error| BadRow::unreadable(file, &error))?;
    let columns = Columns::of(header);
    let missing = match rows::recognise(&columns) {
        Ok(ConsoleExport::Transactions) if columns.has(BY) => None,
        Ok(ConsoleExport::Transactions) => Some(BY.to_owned()),
        Ok(_) => Some("Fireblocks TxId: it is no transaction history".to_owned()),
        Err(missing) => Some(missing),
    };
    if let Some(missing) = missing {
        let file = file.to_owned();
        return Err(ImportError::Unknown { file, missing });
    }
    let mut all = Vec::new();
    for (at, record) in reader.records().enumerate() {
        if at >= MAX_ROWS {
            let file = file.to_owned();
            return Err(ImportError::TooLong { file });
        }
        let record = record.map_err(|error| BadRow::unreadable(file, &error))?;
        let row = Row {
            columns: &columns,
            record: &record,
        };
        let (by, date) = (row.text(BY), row.text("Date"));
        if by.is_empty() || row.text("Fireblocks TxId").is_empty() {
            continue;
        }
        let at = dates::read(date).ok_or_else(|| {
            let why = format!("'{date}' is no date");
            BadRow::new(file, table::line(&record), "Date", why)
        })?;
        let by = by.to_owned();
        all.push(Initiated { by, at });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Date,Fireblocks TxId,Status,Asset,Amount,Source,Destination,Created By\n";

    #[test]
    fn creators_are_read_and_nobody_is_made_up() {
        let rows = "22 Apr 2026 08:34:43 GMT,a,COMPLETED,ETH,1,One,Two,'=acme\n\
            22 Apr 2026 08:34:44 GMT,b,COMPLETED,ETH,1,,Two,\n\
            22 Apr 2026 08:34:45 GMT,,COMPLETED,ETH,1,One,Two,acme\n";
        let read = initiated("t.csv", format!("{HEADER}{rows}").as_bytes()).expect("read");
        let expected = Initiated {
            by: "=acme".to_owned(),
            at: Millis(1_776_846_883_000),
        };
        assert_eq!(read, [expected]);
    }

    #[test]
    fn what_is_no_history_says_what_it_lacks() {
        let wrong = |text: &str| {
            initiated("t.csv", text.as_bytes())
                .expect_err("no history")
                .to_string()
        };
        assert!(wrong("a,b\n").contains("Fireblocks TxId"));
        assert!(
            wrong("Account ID,Account Name,Asset,Total Balance\n")
                .contains("no transaction history")
        );
        assert!(wrong(HEADER.replace(",Created By", "").as_str()).contains("Created By"));
        let told = wrong(&format!(
            "{HEADER}yesterday,a,COMPLETED,ETH,1,One,Two,acme\n"
        ));
        assert!(
            told.contains("line 2, column 'Date': 'yesterday'"),
            "{told}"
        );
    }
}
